import { getAccessToken } from "@/lib/auth/utils";
import { BACKEND_URL } from "@/lib/backend";

export async function GET() {
  const token = await getAccessToken();
  if (!token) return Response.json({ error: "Unauthorized" }, { status: 401 });

  const res = await fetch(`${BACKEND_URL}/api/subscriptions/subscribable-product/`, {
    headers: { Authorization: `JWT ${token}` },
  });

  if (!res.ok) {
    const error = await res.json();
    return Response.json({ error: error.detail || "Request failed" }, { status: res.status });
  }

  const data = await res.json();
  return Response.json(data, { status: res.status });
}
