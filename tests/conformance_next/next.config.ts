import type { NextConfig } from "next";

const config: NextConfig = { outputFileTracingRoot: __dirname, turbopack: { root: __dirname } };

export default config;
