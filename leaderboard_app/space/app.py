"""The Space: serves the board that was built beside this file."""

from pathlib import Path

from leaderboard_app.app import serve

serve(Path(__file__).parent / "site")
