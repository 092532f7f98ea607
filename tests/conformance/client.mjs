// The real next-auth/react in a jsdom browser, against the server at the URL given. Prints what the client saw, as JSON.
import { JSDOM } from "jsdom";

const origin = process.argv[2];
const dom = new JSDOM('<!DOCTYPE html><div id="root"></div>', { url: `${origin}/page?x=1` });
const navigations = [];

// jsdom does not navigate: note where the client wanted to go.
const location = {
  get href() {
    return dom.window.location.href;
  },
  set href(url) {
    navigations.push(url);
  },
  reload() {
    navigations.push("reload");
  },
};
globalThis.window = new Proxy(dom.window, {
  get: (target, name) => {
    if (name === "location") return location;
    const value = Reflect.get(target, name);
    return typeof value === "function" && !/^[A-Z]/.test(String(name)) ? value.bind(target) : value;
  },
});
globalThis.document = dom.window.document;
Object.defineProperty(globalThis, "navigator", { value: dom.window.navigator, configurable: true });
globalThis.HTMLElement = dom.window.HTMLElement;
globalThis.IS_REACT_ACT_ENVIRONMENT = true;

// A browser's fetch: relative URLs, and the cookies of the origin, HttpOnly ones included.
const realFetch = globalThis.fetch;
globalThis.fetch = async (input, init = {}) => {
  const url = new URL(input, origin).href;
  const cookie = dom.cookieJar.getCookieStringSync(url, { http: true });
  const headers = { ...init.headers, ...(cookie && { cookie }), "sec-fetch-site": "same-origin", "x-conformance-config": "client" };
  const answer = await realFetch(url, { ...init, headers: { ...headers, ...(init.body && { origin }) } });
  for (const line of answer.headers.getSetCookie()) dom.cookieJar.setCookieSync(line, url);
  return answer;
};
console.error = () => {};

const React = await import("react");
const { createRoot } = await import("react-dom/client");
const auth = await import("next-auth/react");

const seen = [];
const note = (what, value) => seen.push([what, value === undefined ? "undefined" : value]);
const steadied = (session) => session && { ...session, expires: /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/.test(session.expires) };
const settled = () => React.act(() => new Promise((done) => setTimeout(done, 120)));

let current;
function Page({ required }) {
  current = auth.useSession(required ? { required: true } : undefined);
  return null;
}
let root;
const mount = async (required = false) => {
  root = createRoot(document.getElementById("root"));
  await React.act(async () => {
    root.render(React.createElement(auth.SessionProvider, null, React.createElement(Page, { required })));
  });
  await settled();
};
const unmount = () => React.act(async () => root.unmount());
const shown = () => ({ status: current.status, data: steadied(current.data) });

const ada = { email: "ada@example.com", password: "correct horse", redirect: false };

note("providers", await auth.getProviders());
note("csrf", /^[0-9a-f]{64}$/.test(await auth.getCsrfToken()));
note("same csrf", (await auth.getCsrfToken()) === (await auth.getCsrfToken()));
note("session, signed out", await auth.getSession());
note("wrong password", await auth.signIn("credentials", { ...ada, password: "wrong" }));
note("throttled", await auth.signIn("credentials", { ...ada, email: "throttled@example.com" }));
note("backend breaks", await auth.signIn("credentials", { ...ada, email: "broken@example.com" }));
note("session, still signed out", await auth.getSession());

await mount();
note("provider, signed out", shown());
note("right password", await React.act(() => auth.signIn("credentials", { ...ada, redirectTo: "/dash" })));
await settled();
note("provider, signed in", shown());
note("session", steadied(await auth.getSession()));
note("update", steadied(await React.act(() => current.update())));
note("update with data", steadied(await React.act(() => current.update({ name: "Ada L. 大橋 🦊" }))));
await settled();
note("provider, updated", shown());
note("wrong password while signed in", await React.act(() => auth.signIn("credentials", { ...ada, password: "wrong" })));
await settled();
note("provider, still signed in", shown());
note("sign out", await React.act(() => auth.signOut({ redirect: false, redirectTo: "/bye" })));
await settled();
note("provider, signed out again", shown());
await unmount();

note("sign in and go", await auth.signIn("credentials", { ...ada, redirect: true, redirectTo: "/there?a=b#c" }));
note("session after going", steadied(await auth.getSession()));
note("sign out and go", await auth.signOut({ redirectTo: `${origin}/away` }));
note("wrong password and go", await auth.signIn("credentials", { ...ada, password: "wrong", redirect: true }));
note("default target", await auth.signIn("credentials", { ...ada, redirect: true }));
note("another origin", await auth.signIn("credentials", { ...ada, redirect: true, redirectTo: "https://evil.example/" }));
note("unknown provider", await auth.signIn("nope", { redirectTo: "/x" }));
note("authorization parameters", await auth.signIn("credentials", ada, { a: "b" }));
await auth.signOut({ redirect: false });
await mount(true);
note("required session", current.status);
await unmount();
note("navigations", navigations);
note("cookies left", dom.cookieJar.getCookiesSync(origin, { http: true }).map((cookie) => cookie.key).sort());
note("cookies for scripts", document.cookie);

console.log(JSON.stringify(seen).replaceAll(JSON.stringify(origin).slice(1, -1), "ORIGIN").replaceAll(encodeURIComponent(origin), "ORIGIN"));
process.exit(0);
