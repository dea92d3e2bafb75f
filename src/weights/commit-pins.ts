import { adapterId } from "./adapter-id.ts";
import type { ChunkStore } from "./chunk-store.ts";
import type { CommitPins } from "./hub-files.ts";
import { hubId, isCommit } from "./source-spec.ts";

/** Name under which the commit of a branch or tag is kept. */
const pinName = "commit";

/** Commits kept beside the stored models. One whose model is not stored any more counts as unknown. */
export function createCommitPins(store: Pick<ChunkStore, "getText" | "putText" | "getModel">): CommitPins {
  return {
    async get(repo, storedAs) {
      const revision = await store.getText(hubId(repo), pinName);
      if (revision === undefined || !isCommit(revision)) return undefined;
      const place = hubId({ ...repo, revision });
      for (const id of storedAs === undefined ? [place, adapterId(place)] : [storedAs])
        if ((await store.getModel(id)) !== undefined) return revision;
      return undefined;
    },
    set: (repo, commit) => store.putText(hubId(repo), pinName, commit),
  };
}
