import { getAccessToken } from "@/lib/auth/utils";
import { BACKEND_URL } from "@/lib/backend";

export async function GET(req: Request, { params }: { params: Promise<{ workspaceId: string }> }) {
  const token = await getAccessToken();
  if (!token) return Response.json({ error: "Unauthorized" }, { status: 401 });

  const { workspaceId } = await params;
  const res = await fetch(`${BACKEND_URL}/api/workspaces/${workspaceId}/chats/`, {
    headers: { Authorization: `JWT ${token}` },
  });

  const data = await res.json();
  return Response.json(data, { status: res.status });
}

export async function POST(req: Request, { params }: { params: Promise<{ workspaceId: string }> }) {
  const token = await getAccessToken();
  if (!token) return Response.json({ error: "Unauthorized" }, { status: 401 });

  const body = await req.json();

  const { workspaceId } = await params;
  const res = await fetch(`${BACKEND_URL}/api/workspaces/${workspaceId}/chats/`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Authorization: `JWT ${token}`,
    },
    body: JSON.stringify(body),
  });

  const data = await res.json();
  return Response.json(data, { status: res.status });
}
