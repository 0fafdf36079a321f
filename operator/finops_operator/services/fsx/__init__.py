"""FSx: file systems for Windows, Lustre, ONTAP and OpenZFS."""
