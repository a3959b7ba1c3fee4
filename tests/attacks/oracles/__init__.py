"""Networks, compared with the chains' own libraries and with wallets for many chains."""
