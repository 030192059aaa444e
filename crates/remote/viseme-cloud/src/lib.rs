//! What Viseme sends over the network: files from and to addresses that clients name.
