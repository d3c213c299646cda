"""The cells of generated notebooks, the helpers behind them, and the generator."""
