"""Reading a store from outside, or beside the loop, without ever writing to it."""
