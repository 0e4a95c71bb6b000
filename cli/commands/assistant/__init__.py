"""The tools of `wanx mcp`, for a person's assistant; `jobs` does the work, `server` speaks MCP."""
