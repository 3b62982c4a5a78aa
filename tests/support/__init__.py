"""What tests of several rooms share: clients, servers, and waiting for conditions."""
