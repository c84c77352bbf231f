// Two pictures and their difference: side by side (as they stand without scripts), one over the other with a slider or
// blinking, and the parts that differ.
for (const compare of document.querySelectorAll('.compare')) {
    const stage = compare.querySelector('.stage');
    const figures = ['before', 'after', 'difference'].map(name => stage.querySelector('.' + name));
    const [before, after, difference] = figures;
    if (!before || !after) continue;
    const images = figures.map(figure => figure && figure.querySelector('img'));
    const make = (tag, name) => Object.assign(document.createElement(tag), {className: name});
    const modes = make('div', 'modes');
    const bar = make('div', 'bar');
    const range = make('input', '');
    let timer;
    let at = 50;

    bar.dataset.before = before.querySelector('figcaption').textContent;
    bar.dataset.after = after.querySelector('figcaption').textContent;
    range.type = 'range';
    range.step = 0.1;
    range.setAttribute('aria-label', bar.dataset.before + ' to the left, ' + bar.dataset.after + ' to the right');

    const cut = percent => {
        at = Math.min(100, Math.max(0, percent));
        range.value = at;
        after.style.clipPath = 'inset(0 0 0 ' + at + '%)';
        bar.style.left = at + '%';
    };
    // Pictures of different sizes keep one scale while they lie over each other.
    const fit = over => {
        const widest = Math.max(...images.slice(0, 2).map(image => image.naturalWidth));
        for (const image of images.slice(0, 2)) {
            image.parentNode.style.width = over ? 100 * image.naturalWidth / widest + '%' : '';
        }
    };
    const show = mode => {
        clearInterval(timer);
        after.style.clipPath = '';
        after.style.opacity = 1;
        compare.className = 'compare ' + {slider: 'over slider', blink: 'over', difference: 'over alone'}[mode];
        fit(mode === 'slider' || mode === 'blink');
        if (mode === 'slider') cut(at);
        if (mode === 'blink') timer = setInterval(() => after.style.opacity = 1 - after.style.opacity, 600);
        for (const button of modes.querySelectorAll('button[data-mode]')) button.ariaPressed = button.dataset.mode === mode;
    };
    const names = {side: 'Side by side', slider: 'Slider', blink: 'Blink'};
    if (difference) names.difference = 'Difference';
    for (const [mode, name] of Object.entries(names)) {
        const button = make('button', '');
        button.dataset.mode = mode;
        button.textContent = name;
        button.addEventListener('click', () => show(mode));
        modes.append(button);
    }
    modes.append(range);
    compare.prepend(modes);
    stage.append(bar);
    range.addEventListener('input', () => cut(+range.value));
    const drag = event => {
        if (!compare.classList.contains('slider') || event.buttons !== 1) return;
        const box = stage.getBoundingClientRect();
        cut(100 * (event.clientX - box.left) / box.width);
        event.preventDefault();
    };
    stage.addEventListener('pointerdown', drag);
    stage.addEventListener('pointermove', drag);
    show('side');

    // Rows that name a box show it from both pictures, and in the stage when they are picked. The box of the second picture
    // is the same, unless it has one of its own.
    const rows = [...document.querySelectorAll('tr[data-box]')];
    const boxes = row => [row.dataset.box, row.dataset.after || row.dataset.box].map(box => box.split(',').map(Number));
    const crops = row => boxes(row).forEach((box, i) => {
        const edge = 12;
        const [x, y, w, h] = [Math.max(0, box[0] - edge), Math.max(0, box[1] - edge), box[2] + 2 * edge, box[3] + 2 * edge];
        const scale = Math.min(1, 300 / w, 150 / h);
        const canvas = make('canvas', '');
        canvas.width = Math.max(1, w * scale);
        canvas.height = Math.max(1, h * scale);
        canvas.getContext('2d').drawImage(images[i], x, y, w, h, 0, 0, w * scale, h * scale);
        row.querySelector('.crops').append(canvas);
    });
    const mark = (row, name) => images.map((image, i) => {
        if (!image) return null;
        const element = make('i', name);
        const box = boxes(row)[i === 1 ? 1 : 0];
        const sizes = [image.naturalWidth, image.naturalHeight];
        ['left', 'top', 'width', 'height'].forEach((side, k) => element.style[side] = 100 * box[k] / sizes[k % 2] + '%');
        element.dataset.number = rows.indexOf(row) + 1;
        image.parentNode.append(element);
        return element;
    });
    const pick = row => {
        for (const picked of stage.querySelectorAll('.mark')) picked.remove();
        const [first] = mark(row, 'mark').filter(element => element && element.offsetParent);
        first.scrollIntoView({block: 'center', behavior: 'smooth'});
    };
    Promise.all(images.filter(image => image).map(image => image.decode())).then(() => {
        for (const row of rows) {
            crops(row);
            row.addEventListener('click', () => pick(row));
        }
        const numbered = document.querySelectorAll('table.boxes tr[data-box]');
        if (numbered.length === 0) return;
        for (const row of numbered) mark(row, 'box');
        const button = make('button', '');
        const toggle = shown => {
            stage.classList.toggle('boxed', shown);
            button.ariaPressed = shown;
        };
        button.textContent = 'Boxes';
        button.addEventListener('click', () => toggle(!stage.classList.contains('boxed')));
        modes.insertBefore(button, range);
        toggle(true);
    });
}
