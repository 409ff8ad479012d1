"""Portkey's gateway behind a front: the lab's gateway that is not LiteLLM."""
