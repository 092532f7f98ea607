import { getAccessToken } from "@/lib/auth/utils";
import { BACKEND_URL } from "@/lib/backend";

export async function POST(req: Request, { params }: { params: Promise<{ workspaceId: string; chatId: string }> }) {
  const token = await getAccessToken();
  if (!token) return Response.json({ error: "Unauthorized" }, { status: 401 });

  const body = await req.json();

  const { workspaceId, chatId } = await params;
  const res = await fetch(`${BACKEND_URL}/api/workspaces/${workspaceId}/chats/${chatId}/messages/`, {
    method: "POST",
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
