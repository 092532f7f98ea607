import NextAuth, { type DefaultSession } from "next-auth";
import "next-auth/jwt";
import Credentials from "next-auth/providers/credentials";
import { BACKEND_URL } from "@/lib/backend";

declare module "next-auth" {
  interface User {
    accessToken?: string;
    refreshToken?: string;
  }
  interface Session {
    accessToken?: string;
    user: { id?: string } & DefaultSession["user"];
  }
}

declare module "next-auth/jwt" {
  interface JWT {
    accessToken?: string;
    refreshToken?: string;
  }
}

async function authorize(credentials: Partial<Record<"email" | "password", unknown>>) {
  const created = await fetch(`${BACKEND_URL}/auth/jwt/create/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email: credentials.email, password: credentials.password }),
  });
  if (!created.ok) return null;
  const { access, refresh } = await created.json();

  const me = await fetch(`${BACKEND_URL}/auth/users/me/`, { headers: { Authorization: `JWT ${access}` } });
  if (!me.ok) return null;
  const user = await me.json();

  return { id: String(user.id), email: user.email, name: user.name, accessToken: access, refreshToken: refresh };
}

export const { handlers, auth } = NextAuth({
  session: { strategy: "jwt" },
  providers: [Credentials({ credentials: { email: { type: "email" }, password: { type: "password" } }, authorize })],
  callbacks: {
    jwt({ token, user }) {
      if (user) {
        token.accessToken = user.accessToken;
        token.refreshToken = user.refreshToken;
      }
      return token;
    },
    session({ session, token }) {
      session.user.id = token.sub ?? "";
      session.accessToken = token.accessToken;
      return session;
    },
  },
});
