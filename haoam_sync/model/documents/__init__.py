"""Models of the documents in git around the sections: envelope, fleet, certificates; the schemas are made of them."""
