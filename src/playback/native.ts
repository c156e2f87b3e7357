/**
 * Sources that the browser plays by itself: progressive files, native HLS. In: the element, and who picks the edge. Out:
 * the element with the edge's URL, while Video.js goes on to see the service's. An edge that fails before there is a
 * picture is left for the origin before Video.js shows an error.
 */
import type { ElementSource } from '../conductor.js';
import type { Edge } from '../servers.js';

/** The least shape of Video.js's Html5 tech. */
export interface NativeTech {
  readonly options_?: { readonly enableSourceset?: boolean };
  /** Called for each source that the element gets; tells the player, which then takes it for its own. */
  triggerSourceset: (src: string) => void;
  el(): HTMLMediaElement;
  paused(): boolean;
  play(): Promise<void> | undefined;
}

/** What it needs of the conductor. */
export interface NativePicker {
  readonly source: { readonly src: string };
  pick(crossOrigin: string | null): Promise<ElementSource | null>;
  edgeFailed(edge: Edge): void;
}

/**
 * @param load  gives the element a URL, as Video.js would; null: the URL of the service
 * @returns a source handler as Video.js keeps it: disposed when the source goes
 */
export function playNative(
  tech: NativeTech,
  picker: NativePicker,
  load: (url: string | null) => void,
): { dispose(): void } {
  const element = tech.el();
  const service = picker.source.src;
  let picked: ElementSource | null = null;
  let disposed = false;

  // the player is told of the service's URL, now as it would be without us, and never of the edge's
  let isLoading = false;
  const { triggerSourceset } = tech;
  const tellSource = (src: string): void => {
    triggerSourceset.call(tech, src === picked?.url ? service : src);
  };
  tech.triggerSourceset = (src) => {
    if (!isLoading) tellSource(src);
  };
  if (tech.options_?.enableSourceset) tellSource(service);

  // capturing listeners of the element itself run before Video.js's own
  const onError = (event: Event): void => {
    if (!picked) return;
    event.stopImmediatePropagation();
    const { edge } = picked;
    stopWatching();
    picker.edgeFailed(edge);
    loadAndGoOn(null);
  };
  const stopWatching = (): void => {
    element.removeEventListener('error', onError, true);
    element.removeEventListener('loadeddata', stopWatching);
  };
  element.addEventListener('error', onError, true);

  void picker.pick(element.crossOrigin).then((choice) => {
    if (disposed) return;
    picked = choice;
    element.addEventListener('loadeddata', stopWatching);
    loadAndGoOn(choice?.url ?? null);
  });
  return {
    dispose() {
      disposed = true;
      stopWatching();
      tech.triggerSourceset = triggerSourceset;
    },
  };

  /** A `play()` that came while the edge was picked was for this source. */
  function loadAndGoOn(url: string | null): void {
    const isWanted = !tech.paused();
    isLoading = true;
    load(url);
    isLoading = false;
    if (isWanted) tech.play()?.catch(() => undefined); // the site has the promise of its own call
  }
}
