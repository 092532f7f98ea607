// Chromium, and pages that remember everything that went wrong on them.
import { chromium } from "playwright-core";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/** A page of a new profile; `page.troubles` collects console errors, exceptions, failed requests and CSP violations. */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  page.troubles = [];
  page.on("console", (message) => {
    const [text, place] = [message.text(), message.location().url];
    if (place.endsWith("/favicon.ico")) return; // Chromium asks for it beside JSON documents; the demo has no icon
    if (message.type() === "error" || /Content Security Policy/i.test(text)) {
      page.troubles.push(`console: ${text} ${place}`);
    }
  });
  page.on("pageerror", (error) => page.troubles.push(`exception: ${error.message}`));
  page.on("requestfailed", (request) => page.troubles.push(`request failed: ${request.url()}`));
  if (options.javaScriptEnabled !== false) {
    await page.exposeFunction("reportViolation", (text) => page.troubles.push(`CSP: ${text}`));
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => {
        window.reportViolation(`${event.effectiveDirective} ${event.blockedURI}`);
      });
    });
  }
  return page;
}
