import { handlers } from "@/lib/auth/providers";

export const { GET, POST } = handlers;
