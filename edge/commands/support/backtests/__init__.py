"""What a backtest runs over, and the labels that it is judged by."""
