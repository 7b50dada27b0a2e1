/** Event masks of the core protocol (X11, appendix B). */
export const structureNotifyMask = 0x2_0000
export const substructureNotifyMask = 0x8_0000
export const substructureRedirectMask = 0x10_0000
export const propertyChangeMask = 0x40_0000
