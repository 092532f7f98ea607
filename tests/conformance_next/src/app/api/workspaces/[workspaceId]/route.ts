import { getAccessToken } from "@/lib/auth/utils";
import { BACKEND_URL } from "@/lib/backend";

export async function PUT(req: Request, { params }: { params: Promise<{ workspaceId: string }> }) {
  const token = await getAccessToken();
  if (!token) return Response.json({ error: "Unauthorized" }, { status: 401 });

  const body = await req.json();

  const { workspaceId } = await params;
  const res = await fetch(`${BACKEND_URL}/api/workspaces/${workspaceId}/`, {
    method: "PUT",
    headers: {
      "Content-Type": "application/json",
      Authorization: `JWT ${token}`,
    },
    body: JSON.stringify(body),
  });

  if (!res.ok) {
    const error = await res.json();
    return Response.json({ error: error.detail || "Request failed" }, { status: res.status });
  }

  const data = await res.json();
  return Response.json(data, { status: res.status });
}

export async function DELETE(req: Request, { params }: { params: Promise<{ workspaceId: string }> }) {
  const token = await getAccessToken();
  if (!token) return Response.json({ error: "Unauthorized" }, { status: 401 });

  const { workspaceId } = await params;
  const res = await fetch(`${BACKEND_URL}/api/workspaces/${workspaceId}/`, {
    method: "DELETE",
    headers: { Authorization: `JWT ${token}` },
  });

  if (!res.ok) {
    const error = await res.json();
    return Response.json({ error: error.detail || "Request failed" }, { status: res.status });
  }

  const data = await res.json();
  return Response.json(data, { status: res.status });
}
