import { snapshotsBesideSidecars } from '../../core/control/index.ts';
import type { Plan } from '../../core/control/index.ts';
import { MESHES } from '../../core/meshes/index.ts';
import type { MeshName, MeshObject } from '../../core/meshes/index.ts';
import { MeshKeeper } from '../../shell/meshes/index.ts';
import type { MeshKeeperParts } from '../../shell/meshes/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { meshInputOf } from '../mesh/guests.ts';
import { messageOf } from '../mesh/message-of.ts';

/** Looked at so often besides: what others changed, a mesh that was installed since, or another controller that led. */
const LOOK_MS = 60_000;

export interface MeshUpkeepParts extends Pick<MeshKeeperParts, 'api' | 'now'> {
  readonly name: MeshName;
  readonly namespaces: readonly string[] | undefined;
  /** Whether this process is the one that writes. */
  readonly leads: () => boolean;
  readonly logger: Logger;
}

/** Keeps a mesh's objects as the newest plan wants them. One round at a time, and only the newest after it. */
export class MeshUpkeep {
  readonly #parts: MeshUpkeepParts;
  readonly #keeper: MeshKeeper;
  readonly #timer: NodeJS.Timeout;
  #wanted: readonly MeshObject[] | undefined;
  #isRunning = false;
  #isStale = false;
  /** What was told last: the same is not told again. */
  #told = '';

  constructor(parts: MeshUpkeepParts) {
    const { api, now, name, namespaces } = parts;
    this.#parts = parts;
    this.#keeper = new MeshKeeper({ api, now, mesh: MESHES[name], ...(namespaces === undefined ? {} : { namespaces }) });
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  heard(plan: Pick<Plan, 'compiled' | 'withSidecars'>): void {
    this.#wanted = MESHES[this.#parts.name].render(meshInputOf([...snapshotsBesideSidecars(plan).values()])).objects;
    this.#look();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#wanted = undefined;
  }

  #look(): void {
    this.#isStale = true;
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    const { leads, logger, name } = this.#parts;
    this.#isRunning = true;
    while (this.#isStale) {
      this.#isStale = false;
      if (this.#wanted === undefined || !leads()) continue;
      try {
        const { isPresent, written, removed, faults } = await this.#keeper.keep(this.#wanted);
        if (written + removed > 0) logger.info('mesh.applied', { mesh: name, written, removed });
        this.#tell(isPresent ? faults : [`the cluster has no ${MESHES[name].title}`]);
      } catch (error) {
        this.#tell([messageOf(error)]);
      }
    }
    this.#isRunning = false;
  }

  #tell(faults: readonly string[]): void {
    const text = faults.join('; ');
    if (text !== '' && text !== this.#told) this.#parts.logger.warn('mesh.not_applied', { mesh: this.#parts.name, error: text });
    this.#told = text;
  }
}
