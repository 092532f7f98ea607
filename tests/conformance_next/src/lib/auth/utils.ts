import { auth } from "./providers";

/** Django's access token, out of the session of the request that is being answered. */
export async function getAccessToken(): Promise<string | undefined> {
  const session = await auth();
  return session?.accessToken;
}
