// render_playwright.js FOLDER BROWSER MODE: Playwright (from FOLDER/node_modules/playwright-core) drives a browser that is
// installed already. MODE cold: one page, from start to PNG; its path is the next argument. MODE warm: paths come on
// standard input, each answered with two times in seconds: in a page that stays open, and in a new page.
const path = require("path");
const readline = require("readline");

const [folder, browserPath, mode, page] = process.argv.slice(2);
const { chromium } = require(path.join(folder, "node_modules", "playwright-core"));

async function shoot(tab, file) {
    await tab.goto("file://" + file);
    await tab.screenshot({ path: path.join(folder, "playwright.png"), fullPage: true, animations: "disabled" });
}

async function main() {
    const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-gpu"] });
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, javaScriptEnabled: false });
    const tab = await context.newPage();
    if (mode === "cold") {
        await shoot(tab, page);
    } else {
        for await (const file of readline.createInterface({ input: process.stdin })) {
            const start = performance.now();
            await shoot(tab, file);
            const same = performance.now();
            const fresh = await context.newPage();
            await shoot(fresh, file);
            const end = performance.now();
            await fresh.close();
            console.log(`${((same - start) / 1000).toFixed(6)} ${((end - same) / 1000).toFixed(6)}`);
        }
    }
    await browser.close();
}

main().catch((error) => {
    console.error(String(error));
    process.exit(1);
});
