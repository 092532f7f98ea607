// How the built-in pages look: axe finds nothing serious, nothing is cut off, focus shows. Leaves screenshots in a folder.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { newPage } from "./browser.mjs";
import { assert, check } from "./checks.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = [390, 1280];
const SCHEMES = ["light", "dark"];
const PAGES = {
  "sign-in": "/signin",
  "sign-in-wrong": "/signin?error=CredentialsSignin&code=credentials",
  "sign-in-unavailable": "/signin?error=CredentialsSignin&code=unavailable",
  "sign-in-throttled": "/signin?error=CredentialsSignin&code=throttled&retryAfter=90",
  "sign-in-required": "/signin?error=SessionRequired",
  "sign-out": "/signout",
  error: "/error",
  "error-configuration": "/error?error=Configuration",
  "error-access-denied": "/error?error=AccessDenied",
  "error-verification": "/error?error=Verification",
  "verify-request": "/verify-request",
};

async function axe(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => window.axe.run(document, { preload: false }));
  return found.violations.map((fault) => ({
    impact: fault.impact,
    text: `${fault.impact}: ${fault.id}: ${fault.help}: ${fault.nodes.map((node) => node.target).join(", ")}`,
  }));
}

/** The ring around what has the focus: its width in pixels and its style. */
function ring(locator) {
  return locator.evaluate((element) => {
    const style = getComputedStyle(element);
    return { width: Number.parseFloat(style.outlineWidth), style: style.outlineStyle };
  });
}

async function checkFocus(page) {
  const stops = await page.locator("input:not([type=hidden]), button, a[href]").all();
  await page.evaluate(() => document.activeElement?.blur());
  for (const stop of stops) {
    await page.keyboard.press("Tab");
    assert.ok(await stop.evaluate((element) => element === document.activeElement), "Tab goes from top to bottom");
    const { width, style } = await ring(stop);
    assert.ok(style !== "none" && width >= 2, `the ring is ${width}px ${style}`);
  }
}

async function checkSizes(page) {
  const { wide, seen } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    seen: document.documentElement.clientWidth,
  }));
  assert.ok(wide <= seen, `the page is ${wide}px wide in a window of ${seen}px`);
  for (const target of await page.locator("input:not([type=hidden]), button, a.button").all()) {
    const box = await target.boundingBox();
    assert.ok(box.height >= 40, `a target is ${box.height}px high`);
  }
}

export async function checkLooks(browser, url, folder) {
  for (const [name, target] of Object.entries(PAGES)) {
    for (const colorScheme of SCHEMES) {
      for (const width of WIDTHS) {
        await check(`${name}, ${colorScheme}, ${width} pixels: axe, sizes, focus`, async () => {
          const page = await newPage(browser, { colorScheme, viewport: { width, height: 800 } });
          await page.goto(`${url}/api/auth${target}`);
          await page.screenshot({ path: path.join(folder, `${name}-${colorScheme}-${width}.png`) });
          const faults = await axe(page);
          for (const fault of faults) console.log(`        axe ${fault.text}`);
          assert.deepEqual(faults.filter((fault) => ["serious", "critical"].includes(fault.impact)).map((f) => f.text), []);
          await checkSizes(page);
          await checkFocus(page);
          await page.screenshot({ path: path.join(folder, `${name}-${colorScheme}-${width}-focus.png`) });
          await page.context().close();
        });
      }
    }
  }
  await check("sign-in and sign-out, 320 pixels and text of twice the size: nothing is cut off", async () => {
    for (const target of ["/signin?error=CredentialsSignin&code=unavailable", "/signout", "/error?error=Configuration"]) {
      const page = await newPage(browser, { viewport: { width: 320, height: 640 } });
      await page.goto(`${url}/api/auth${target}`);
      await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
      await checkSizes(page);
      await page.context().close();
    }
  });
}
