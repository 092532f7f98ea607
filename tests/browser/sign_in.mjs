// Signs in and out on the built-in pages as a person does: node tests/browser/sign_in.mjs URL
//
// Needs the demo at URL, Chromium, and npm ci in this folder. E-mail and password are the demo's; EMAIL and PASSWORD change
// them. Ends with 0 when every check passed.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { launch, newPage } from "./browser.mjs";
import { assert, check, finish } from "./checks.mjs";
import { checkLooks } from "./looks.mjs";

const url = process.argv[2]?.replace(/\/$/, "");
const email = process.env.EMAIL ?? "ada@example.com";
const password = process.env.PASSWORD ?? "correct horse battery staple";
const signInPage = `${url}/api/auth/signin?callbackUrl=/api/workspaces`;
const WRONG = "Sign in failed. Check the details you provided are correct.";

async function signIn(page, secret) {
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(secret);
  await page.getByRole("button", { name: /sign in/i }).click();
}

/** The JSON document that a page shows. */
async function shown(page, target) {
  const response = await page.goto(url + target);
  return { status: response.status(), document: await response.json() };
}

async function assertLanded(page) {
  assert.equal(page.url(), `${url}/api/workspaces`);
  assert.match(await page.content(), /Analytical Engine/);
}

/** Whether a text holds a token of Django's, as it is or in base64. */
function holdsToken(text) {
  const pieces = [text, ...text.split(/[.\s"'&;=]+/).map((piece) => Buffer.from(piece, "base64url").toString("latin1"))];
  return pieces.some((piece) => /token_type|user_id|HS256/.test(piece));
}

async function wrongThenRight(browser) {
  const page = await newPage(browser);
  await check("a wrong password: the person reads what happened, and neither name nor password is in the URL", async () => {
    await page.goto(signInPage);
    await signIn(page, "wrong");
    const message = page.getByRole("alert");
    assert.equal(await message.innerText(), WRONG);
    assert.ok(await message.isVisible());
    const box = await message.boundingBox();
    assert.ok(box.y >= 0 && box.y + box.height <= page.viewportSize().height, "the message is outside of the window");
    const described = await page.getByLabel("Password").getAttribute("aria-describedby");
    assert.equal(described, await message.getAttribute("id"));
    assert.doesNotMatch(page.url(), /wrong|ada|password=/);
  });
  await check("the right password after it: the person lands where they wanted to go", async () => {
    await signIn(page, password);
    await assertLanded(page);
  });
  await check("reloading the session: still signed in, twice", async () => {
    for (const _ of [1, 2]) assert.equal((await shown(page, "/api/auth/session")).document.user.email, email);
  });
  await check("no token of Django's is in a page, in storage or, readable, in a cookie", () => assertNoToken(page));
  await check("the session can be updated, and lives on", () => assertUpdates(page));
  await check("sign-out page: one button, and the session is over", async () => {
    await page.goto(`${url}/api/auth/signout?callbackUrl=/api/auth/signin`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(`${url}/api/auth/signin`);
    assert.equal((await shown(page, "/api/auth/session")).document, null);
    assert.deepEqual(sessionCookies(await page.context().cookies()), []);
  });
  await check("no error in the console, no failed request, no CSP violation on the way", () => {
    assert.deepEqual(page.troubles, []);
  });
  await check("/api/workspaces is 401 after it", async () => {
    const { status, document } = await shown(page, "/api/workspaces");
    assert.equal(status, 401);
    assert.equal(document.error, "Unauthorized");
  });
  await page.context().close();
}

function sessionCookies(cookies) {
  return cookies.filter((cookie) => cookie.name.includes("session-token"));
}

async function assertNoToken(page) {
  for (const target of ["/api/auth/session", "/api/workspaces", "/api/auth/signin", "/api/auth/signout", "/api/auth/providers"]) {
    await page.goto(url + target);
    assert.ok(!holdsToken(await page.content()), `${target} shows a token`);
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
    assert.equal(stored, '[{},{},""]', "something is stored where scripts can read it");
  }
  const cookies = await page.context().cookies();
  assert.equal(sessionCookies(cookies).length, 1);
  for (const cookie of cookies) {
    assert.ok(cookie.httpOnly, `${cookie.name} is readable for scripts`);
    assert.equal(cookie.sameSite, "Lax", cookie.name);
    assert.ok(!holdsToken(decodeURIComponent(cookie.value)), `${cookie.name} holds a token in plain`);
  }
}

async function assertUpdates(page) {
  const before = (await shown(page, "/api/auth/session")).document;
  const after = await page.evaluate(async () => {
    const { csrfToken } = await (await fetch("/api/auth/csrf")).json();
    const body = JSON.stringify({ csrfToken, data: { name: "Somebody else" } });
    const headers = { "Content-Type": "application/json" };
    return (await fetch("/api/auth/session", { method: "POST", headers, body })).json();
  });
  assert.deepEqual(after.user, before.user);
  assert.ok(after.expires >= before.expires);
  assert.equal((await shown(page, "/api/workspaces")).status, 200);
}

async function keyboardOnly(browser) {
  await check("keyboard only: Tab, type, Tab, type, Tab, Enter signs in; Tab, Enter signs out", async () => {
    const page = await newPage(browser);
    await page.goto(signInPage);
    await page.keyboard.press("Tab");
    await page.keyboard.type(email);
    await page.keyboard.press("Tab");
    await page.keyboard.type(password);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${url}/api/workspaces`);
    await assertLanded(page);
    await page.goto(`${url}/api/auth/signout?callbackUrl=/api/auth/session`);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL((target) => !target.pathname.startsWith("/api/auth/signout"));
    assert.equal((await shown(page, "/api/auth/session")).document, null);
    await page.context().close();
  });
  await check("Enter in the password field signs in", async () => {
    const page = await newPage(browser);
    await page.goto(signInPage);
    await page.getByLabel("Email").fill(email);
    await page.getByLabel("Password").fill(password);
    await page.getByLabel("Password").press("Enter");
    await page.waitForURL(`${url}/api/workspaces`);
    await page.context().close();
  });
}

async function labels(browser) {
  await check("every field has a label, a name for password managers, and the fitting kind", async () => {
    const page = await newPage(browser);
    await page.goto(signInPage);
    const fields = await page.locator("input:not([type=hidden])").evaluateAll((inputs) =>
      inputs.map((input) => [input.labels[0]?.innerText, input.labels.length, input.type, input.autocomplete]),
    );
    assert.deepEqual(fields, [["Email", 1, "email", "username"], ["Password", 1, "password", "current-password"]]);
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
    assert.equal(await page.locator("h1").count(), 1);
    await page.context().close();
  });
}

async function withoutJavaScript(browser) {
  await check("without JavaScript: a wrong password, the right one, and sign-out", async () => {
    const page = await newPage(browser, { javaScriptEnabled: false });
    await page.goto(signInPage);
    await signIn(page, "wrong");
    assert.equal(await page.getByRole("alert").innerText(), WRONG);
    await signIn(page, password);
    await page.waitForURL(`${url}/api/workspaces`);
    await page.goto(`${url}/api/auth/signout`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL((target) => !target.pathname.startsWith("/api/auth/signout"));
    assert.equal((await shown(page, "/api/workspaces")).status, 401);
    await page.context().close();
  });
}

async function policy(browser) {
  await check("the pages have a Content-Security-Policy that lets in no script, and may not be framed", async () => {
    const page = await newPage(browser);
    for (const target of ["signin", "signout", "error", "verify-request"]) {
      const headers = (await page.goto(`${url}/api/auth/${target}`)).headers();
      assert.match(headers["content-security-policy"] ?? "", /default-src 'none'/);
      assert.match(headers["content-security-policy"], /frame-ancestors 'none'/);
      assert.doesNotMatch(headers["content-security-policy"], /script-src|unsafe-inline/);
    }
    assert.deepEqual(page.troubles, []);
    await page.context().close();
  });
  await check("the policy works: a script that is written into the page does not run", async () => {
    const page = await newPage(browser);
    await page.goto(signInPage);
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.body.append(script);
    });
    assert.equal(await page.evaluate(() => window.ran), undefined);
    assert.ok(page.troubles.length > 0, "the violation was not noticed");
    await page.context().close();
  });
}

if (!url) {
  console.error("usage: node tests/browser/sign_in.mjs URL");
  process.exit(2);
}
const folder = process.env.SCREENSHOTS ?? mkdtempSync(path.join(tmpdir(), "sign-in-pages-"));
const browser = await launch();
try {
  for (const part of [wrongThenRight, keyboardOnly, labels, withoutJavaScript, policy]) await part(browser);
  await checkLooks(browser, url, folder);
} finally {
  await browser.close();
}
console.log(`screenshots are in ${folder}`);
process.exitCode = finish();
