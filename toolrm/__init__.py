"""ToolRM: makes training pairs from tool-calling data, trains outcome reward models, uses them."""
