// The real @auth/core, behind plain node:http, with several configurations. The header `x-conformance-config` picks one;
// the handler never sees it. The URL that the handler sees is that of the configuration, as with AUTH_URL.
import http from "node:http";
import { Auth } from "@auth/core";
import Credentials from "@auth/core/providers/credentials";
import { CredentialsSignin } from "@auth/core/errors";

const configs = JSON.parse(process.env.CONFORMANCE_CONFIGS);
const backend = process.env.CONFORMANCE_BACKEND;

class Throttled extends CredentialsSignin {
  code = "throttled";
}

async function authorize({ email, password }) {
  if (!email || !password) return null;
  const created = await fetch(`${backend}/auth/jwt/create/`, {
    method: "POST",
    redirect: "error",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  if (created.status === 429) throw new Throttled();
  if (created.status === 400 || created.status === 401) return null;
  if (!created.ok) throw new Error(`backend answered ${created.status}`);
  const { access, refresh } = await created.json();
  const answer = await fetch(`${backend}/auth/users/me/`, { headers: { Authorization: `JWT ${access}` } });
  if (!answer.ok) throw new Error(`backend answered ${answer.status}`);
  const me = await answer.json();
  return { id: String(me.id), name: me.name ?? null, email: me.email, image: null, access, refresh };
}

function authConfig({ secret, basePath, pages, maxAge, signIn, update }) {
  return {
    secret,
    basePath,
    pages: { ...pages },
    trustHost: true,
    session: { strategy: "jwt", maxAge },
    logger: { error() {}, warn() {}, debug() {} },
    providers: [
      Credentials({
        credentials: { email: { label: "Email", type: "email" }, password: { label: "Password", type: "password" } },
        authorize,
      }),
    ],
    callbacks: {
      signIn({ user }) {
        if (!signIn) return true;
        if (user.email === "denied@example.com") return false;
        return user.email === "divert@example.com" ? "/elsewhere?why=divert" : true;
      },
      jwt({ token, user, trigger, session }) {
        if (user) return { ...token, accessToken: user.access, refreshToken: user.refresh };
        if (trigger === "update" && update) {
          if (session?.signOut) return null;
          if (typeof session?.name === "string") return { ...token, name: session.name };
        }
        return token;
      },
      session({ session, token }) {
        return { user: { ...session.user, id: token.sub }, expires: session.expires };
      },
    },
  };
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

http
  .createServer(async (incoming, outgoing) => {
    const config = configs[incoming.headers["x-conformance-config"] ?? "default"];
    const headers = new Headers();
    for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
      if (!["host", "x-conformance-config", "connection"].includes(incoming.rawHeaders[i].toLowerCase()))
        headers.append(incoming.rawHeaders[i], incoming.rawHeaders[i + 1]);
    }
    const { method } = incoming;
    const body = await bodyOf(incoming);
    try {
      const origin = config.origin === "self" ? `http://${incoming.headers.host}` : config.origin;
      const request = new Request(origin + incoming.url, { method, headers, ...(method === "POST" && { body }) });
      const answer = await Auth(request, authConfig(config));
      outgoing.statusCode = answer.status;
      answer.headers.forEach((value, name) => {
        if (name !== "set-cookie") outgoing.setHeader(name, value);
      });
      const cookies = answer.headers.getSetCookie();
      if (cookies.length) outgoing.setHeader("set-cookie", cookies);
      outgoing.end(Buffer.from(await answer.arrayBuffer()));
    } catch (error) {
      outgoing.statusCode = 599;
      outgoing.end(String(error?.stack ?? error));
    }
  })
  .listen(0, "127.0.0.1", function () {
    console.log(JSON.stringify({ port: this.address().port }));
  });
