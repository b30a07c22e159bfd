"""What runs above a gateway, in a cloud."""
