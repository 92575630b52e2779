"""How the resources of echo3d came to be: programs that rebuild the template, its modes, the demo study and the weights."""
