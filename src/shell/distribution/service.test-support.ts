import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestAuthority, writeCertificates } from '../../../test/support/certificates.ts';
import { TestCluster, writeToken } from '../../../test/support/tokens.ts';
import type { SidecarState } from '../../core/control/index.ts';
import { CertificateFiles, Roots, TokenFile, WireServer, byCertificate, byEither, byToken } from '../wire/index.ts';
import type { Pod, Service, TokenAccess } from '../wire/index.ts';
import type { BadState, ToSidecar } from './codec/answer.ts';
import type { SidecarReport } from './codec/report.ts';
import { Distributor } from './distributor.ts';
import { PolicyLink } from './link.ts';
import type { DistributionEvent } from './ports.ts';

const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };

/** A controller that gives policies to the pods of a test's cluster, over TLS on the loopback interface. */
export class TestController {
  readonly folder = mkdtempSync(join(tmpdir(), 'airmesh-policies-'));
  readonly cluster: TestCluster;
  readonly authority: TestAuthority;
  readonly distributor: Distributor;
  readonly server: WireServer;
  readonly events: DistributionEvent[] = [];
  changes = 0;
  port = 0;
  readonly #files: CertificateFiles;
  readonly #opened: { close(): void }[] = [];

  private constructor(authority: TestAuthority, files: CertificateFiles, cluster: TestCluster, more: (distributor: Distributor) => readonly Service[]) {
    this.authority = authority;
    this.cluster = cluster;
    this.#files = files;
    const tell = (event: DistributionEvent): void => void this.events.push(event);
    this.distributor = new Distributor({ clock, tell, onChange: () => (this.changes += 1) });
    this.server = new WireServer({
      services: [this.distributor.service(), ...more(this.distributor)],
      clock,
      authenticate: byEither(byCertificate(), byToken(cluster)),
      absence: () => this.distributor.absence(),
      tell,
    });
  }

  static async start(
    wishes: {
      cluster?: TestCluster;
      authority?: TestAuthority;
      port?: number;
      states?: readonly SidecarState[];
      services?: (distributor: Distributor) => readonly Service[];
    } = {},
  ): Promise<TestController> {
    const { cluster = new TestCluster('here'), states, port = 0, services = () => [] } = wishes;
    const authority = wishes.authority ?? (await TestAuthority.create('airmesh test'));
    const folder = mkdtempSync(join(tmpdir(), 'airmesh-controller-'));
    const own = await authority.issue({ dns: ['localhost'], uris: ['spiffe://test/controller'] });
    const files = CertificateFiles.open(writeCertificates(folder, 'controller', own, authority.certificate), () => undefined);
    if (!files.ok) throw new Error(files.error);
    const controller = new TestController(authority, files.value, cluster, services);
    controller.keep({ close: () => rmSync(folder, { recursive: true }) });
    if (states !== undefined) controller.publish(...states);
    controller.port = (await controller.server.listen({ host: '127.0.0.1', port, certificates: files.value, callers: 'with certificates or tokens' })) ?? 0;
    return controller;
  }

  get address(): string {
    return `localhost:${this.port}`;
  }

  publish(...states: readonly SidecarState[]): void {
    this.distributor.publish(new Map(states.map((state) => [`${state.snapshot.workload.namespace}/${state.snapshot.workload.name}`, state])));
  }

  /** What a pod mounts: a file with its token; and the authority of the controller. */
  accessFor(pod: Pod, token = this.cluster.tokenFor(pod), roots = this.authority.certificate): TokenAccess & { readonly path: string } {
    const path = join(this.folder, `token-${pod.uid}`);
    writeToken(path, token);
    return { path, roots: new Roots(roots), token: this.keep(new TokenFile(path, 20)) };
  }

  sidecar(pod: Pod, access = this.accessFor(pod), addresses: readonly string[] = [this.address]): TestSidecar {
    return this.keep(new TestSidecar(access, addresses));
  }

  keep<T extends { close(): void }>(opened: T): T {
    this.#opened.push(opened);
    return opened;
  }

  async close(): Promise<void> {
    for (const opened of this.#opened) opened.close();
    this.distributor.close();
    await this.server.close(200);
    this.#files.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** A sidecar that takes down what it is told, and applies each state at once unless it is told to refuse or to dawdle. */
export class TestSidecar {
  readonly link: PolicyLink;
  readonly heard: (ToSidecar | BadState)[] = [];
  report: SidecarReport = { program: '1.2.3', keys: [], ownKeysFor: [] };
  refuses: string | undefined;
  dawdles = false;
  connections = 0;

  constructor(access: TokenAccess, addresses: readonly string[]) {
    this.link = new PolicyLink({
      addresses,
      access,
      clock,
      report: () => this.report,
      onConnected: () => (this.connections += 1),
      onAnswer: (answer) => {
        this.heard.push(answer);
        if (answer.kind === 'bad') this.say({ refused: { version: answer.version, reason: answer.reason } });
        if (answer.kind === 'state' && !this.dawdles) this.answer(answer.state.version);
      },
    });
  }

  get states(): SidecarState[] {
    return this.heard.flatMap((answer) => (answer.kind === 'state' ? [answer.state] : []));
  }

  /** Says what became of a state. */
  answer(version: string): void {
    if (this.refuses !== undefined) return this.say({ refused: { version, reason: this.refuses } });
    const { refused: _refused, ...report } = this.report;
    this.report = report;
    this.say({ applied: version });
  }

  say(changes: Partial<SidecarReport>): void {
    this.report = { ...this.report, ...changes };
    this.link.report();
  }

  close(): void {
    this.link.close();
  }
}
