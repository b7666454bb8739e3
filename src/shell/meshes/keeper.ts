import type { Mesh, MeshObject } from '../../core/meshes/index.ts';
import type { MonotonicMs } from '../../core/units/index.ts';
import { ApiUnreachable, refusalOf } from '../kube/index.ts';
import type { ApiServer } from '../kube/index.ts';

export interface MeshKeeperParts {
  readonly api: Pick<ApiServer, 'send'>;
  readonly mesh: Mesh;
  /** Those that are kept; all of the cluster, if none are named. */
  readonly namespaces?: readonly string[];
  readonly now: () => MonotonicMs;
}

/** What became of it. */
export interface Kept {
  /** Whether the cluster knows the mesh's kinds. */
  readonly isPresent: boolean;
  readonly written: number;
  readonly removed: number;
  /** Such as `EnvoyFilter shop/airmesh: …`. */
  readonly faults: readonly string[];
}

/** How server-side apply and others tell whose fields these are. */
const MANAGER = 'airmesh-meshes';
const OWNED = 'app.kubernetes.io/managed-by=airmesh,airmesh.dev/part-of=mesh';

/** What others changed is set right after so long. */
const RENEW_MS: MonotonicMs = 10 * 60_000;

interface Listed {
  readonly items?: readonly { readonly metadata?: { readonly namespace?: string; readonly name?: string } }[];
}

/**
 * A mesh's objects, written when they change and removed when they are rendered no more. Idle where the cluster has no such mesh,
 * until it has. To be called by one controller at a time, after each plan and now and then.
 */
export class MeshKeeper {
  readonly #parts: MeshKeeperParts;
  /** By path: what was written last, and when. */
  readonly #written = new Map<string, { readonly text: string; readonly at: MonotonicMs }>();

  constructor(parts: MeshKeeperParts) {
    this.#parts = parts;
  }

  async keep(objects: readonly MeshObject[]): Promise<Kept> {
    const faults: string[] = [];
    let [written, removed] = [0, 0];
    try {
      if (!(await this.#isPresent())) return { isPresent: false, written, removed, faults };
      const wanted = new Map(objects.map((object) => [this.#pathOf(object), object]));
      for (const [path, object] of wanted) {
        const fault = await this.#write(path, object);
        if (fault === 'written') written++;
        else if (fault !== undefined) faults.push(`${object.kind} ${object.metadata.namespace}/${object.metadata.name}: ${fault}`);
      }
      for (const path of await this.#owned()) {
        if (wanted.has(path)) continue;
        const { status } = await this.#parts.api.send('DELETE', path);
        this.#written.delete(path);
        if (status < 300) removed++;
        else if (status !== 404) faults.push(`${path} cannot be removed: the API server answered ${status}`);
      }
    } catch (error) {
      if (!(error instanceof ApiUnreachable)) throw error;
      faults.push(error.message);
    }
    return { isPresent: true, written, removed, faults };
  }

  async #write(path: string, object: MeshObject): Promise<string | undefined> {
    const { api, now } = this.#parts;
    const text = JSON.stringify(object);
    const before = this.#written.get(path);
    if (before?.text === text && now() - before.at < RENEW_MS) return undefined;
    const query = { fieldManager: MANAGER, force: 'true', fieldValidation: 'Strict' };
    const answer = await api.send('PATCH', path, { body: object, type: 'application/apply-patch+yaml', query });
    if (answer.status >= 300) return refusalOf(answer);
    this.#written.set(path, { text, at: now() });
    return 'written';
  }

  async #isPresent(): Promise<boolean> {
    const { api, mesh } = this.#parts;
    if (mesh.kinds.length === 0) return false;
    for (const { apiVersion, plural } of mesh.kinds) {
      const { status, body } = await api.send('GET', `/apis/${apiVersion}`);
      if (status !== 200) return false;
      const { resources = [] } = body as { readonly resources?: readonly { readonly name: string }[] };
      if (!resources.some(({ name }) => name === plural)) return false;
    }
    return true;
  }

  /** Paths of all that is ours in the cluster. */
  async #owned(): Promise<readonly string[]> {
    const { api, mesh, namespaces } = this.#parts;
    const paths: string[] = [];
    for (const { apiVersion, plural } of mesh.kinds) {
      const scopes = namespaces === undefined ? [''] : namespaces.map((namespace) => `/namespaces/${namespace}`);
      for (const scope of scopes) {
        const { status, body } = await api.send('GET', `/apis/${apiVersion}${scope}/${plural}`, { query: { labelSelector: OWNED } });
        if (status !== 200) continue;
        for (const { metadata } of (body as Listed).items ?? [])
          paths.push(`/apis/${apiVersion}/namespaces/${metadata?.namespace ?? ''}/${plural}/${metadata?.name ?? ''}`);
      }
    }
    return paths;
  }

  #pathOf({ apiVersion, kind, metadata }: MeshObject): string {
    const plural = this.#parts.mesh.kinds.find((each) => each.kind === kind)?.plural ?? '';
    return `/apis/${apiVersion}/namespaces/${metadata.namespace}/${plural}/${metadata.name}`;
  }
}
