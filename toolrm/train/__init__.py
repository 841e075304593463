"""Training of Bradley-Terry outcome reward models, the prompt of a group computed once."""
