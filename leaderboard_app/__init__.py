"""The leaderboard: turns submissions into static pages and serves them with Gradio."""
