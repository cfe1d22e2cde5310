"""Plans and outcomes as text and JSON: values in, `rich.text.Text` or JSON out. Nothing here reads or decides."""
