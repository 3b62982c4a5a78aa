/**
 * Copy `text`, also on plain HTTP, where browsers hide the clipboard.
 *
 * @param shown where the same text stands: it is selected when nothing else helps
 * @returns whether it was copied; else it is selected for the person to copy
 */
export function copyText(text: string, shown: Node): Promise<boolean>;
