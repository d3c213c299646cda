"""The verbs of `experiments ...`, each a plain function whose signature is its flags."""
