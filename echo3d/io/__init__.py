"""The only readers and writers of foreign formats: DICOM, video, pictures, archives, meshes and weights."""
