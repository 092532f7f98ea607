import { BACKEND_URL } from "@/lib/backend";

export async function POST(req: Request) {
  const body = await req.json();

  const res = await fetch(`${BACKEND_URL}/auth/users/reset_password/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

  if (!res.ok) {
    const error = await res.json();
    return Response.json({ error: error.detail || "Request failed" }, { status: res.status });
  }

  const data = await res.json();
  return Response.json(data, { status: res.status });
}
