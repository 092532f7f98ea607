"""The same hostile requests through four servers: whatever the server makes of them, the upstream stays safe."""
