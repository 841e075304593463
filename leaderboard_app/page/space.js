/** On the hub a page is in a frame, and the address that people copy is the one around it. */

const HUB = "https://huggingface.co";

/** Let the hub's address follow ours: it takes the frame's own at the start alone, and later what the frame tells it. */
export function tellHub() {
  if (parent !== window && location.hostname.endsWith(".hf.space")) parent.postMessage({ hash: location.hash }, HUB);
}
