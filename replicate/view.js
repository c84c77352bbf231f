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
            image.style.width = over ? 100 * image.naturalWidth / widest + '%' : '';
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
        for (const button of modes.querySelectorAll('button')) button.ariaPressed = button.dataset.mode === mode;
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

    // Rows that name a box show it from both pictures, and in the stage when they are picked.
    const rows = document.querySelectorAll('tr[data-box]');
    const crops = (row, box) => {
        const edge = 12;
        const [x, y, w, h] = [Math.max(0, box[0] - edge), Math.max(0, box[1] - edge), box[2] + 2 * edge, box[3] + 2 * edge];
        const scale = Math.min(1, 300 / w, 150 / h);
        for (const image of images.slice(0, 2)) {
            const canvas = make('canvas', '');
            canvas.width = Math.max(1, w * scale);
            canvas.height = Math.max(1, h * scale);
            canvas.getContext('2d').drawImage(image, x, y, w, h, 0, 0, w * scale, h * scale);
            row.querySelector('.crops').append(canvas);
        }
    };
    const pick = box => {
        for (const mark of stage.querySelectorAll('.mark')) mark.remove();
        for (const image of images) {
            if (!image) continue;
            const mark = make('i', 'mark');
            const sizes = [image.naturalWidth, image.naturalHeight];
            ['left', 'top', 'width', 'height'].forEach((side, i) => mark.style[side] = 100 * box[i] / sizes[i % 2] + '%');
            image.parentNode.append(mark);
        }
        stage.querySelector('.mark').scrollIntoView({block: 'center', behavior: 'smooth'});
    };
    Promise.all(images.slice(0, 2).map(image => image.decode())).then(() => {
        for (const row of rows) {
            const box = row.dataset.box.split(',').map(Number);
            crops(row, box);
            row.addEventListener('click', () => pick(box));
        }
    });
}
