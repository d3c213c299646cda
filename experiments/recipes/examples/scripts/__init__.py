"""Programs as people have them: nothing in them knows of Experiments."""
