/** On the hub a page is in a frame, and the address that people copy is the one around it. */

const HUB = "https://huggingface.co";

/** Tell the hub our address, as its page "How to handle URL parameters in Spaces" has it; it gives us its own at the start alone. */
export function tellHub() {
  if (parent !== window && location.hostname.endsWith(".hf.space")) parent.postMessage({ hash: location.hash }, HUB);
}
