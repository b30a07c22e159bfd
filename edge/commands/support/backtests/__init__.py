"""The inputs of a backtest, and the labels for judging it."""
