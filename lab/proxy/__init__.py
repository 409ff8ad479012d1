"""The reverse proxy of the fault lab: a second address of the real gateway, with one defect."""
