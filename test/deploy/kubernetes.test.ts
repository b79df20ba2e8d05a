/**
 * The Kubernetes manifests: each is checked against the types made from Kubernetes' own
 * OpenAPI description (a field that there isn't is an error), and against the others.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { NetworkPolicy } from 'kubernetes-types/networking/v1.js';
import type { StatefulSet } from 'kubernetes-types/apps/v1.js';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js';
import type { Service } from 'kubernetes-types/core/v1.js';
import ts from 'typescript';
import { parse, parseAllDocuments } from 'yaml';

import { ROOT } from '../cli/program.js';
import { skip } from '../support/skip.js';
import { checkLine } from './line.js';

const FOLDER = join(ROOT, 'deploy/k8s');
/** Where the types of each kind are that we use; a kind that isn't here is refused. */
const TYPES: Readonly<Record<string, string>> = {
  'v1 Namespace': 'core/v1',
  'v1 Service': 'core/v1',
  'apps/v1 StatefulSet': 'apps/v1',
  'policy/v1 PodDisruptionBudget': 'policy/v1',
  'networking.k8s.io/v1 NetworkPolicy': 'networking/v1',
};

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface Kustomization {
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string }[];
}

const kustomization = (): Kustomization =>
  parse(readFileSync(join(FOLDER, 'kustomization.yaml'), 'utf8')) as Kustomization;

function manifests(): readonly Manifest[] {
  return kustomization().resources.flatMap((name) =>
    parseAllDocuments(readFileSync(join(FOLDER, name), 'utf8')).map((document) => {
      assert.deepEqual([document.errors, document.warnings], [[], []], name);
      return document.toJS() as Manifest;
    }),
  );
}

function ofKind<T>(kind: string): readonly T[] {
  return manifests().filter((each) => each.kind === kind) as unknown as readonly T[];
}

/** What the compiler says of manifests as literals of their types. */
function faults(all: readonly Manifest[]): readonly string[] {
  const lines = all.map((manifest, index) => {
    const kind = `${manifest.apiVersion} ${manifest.kind}`;
    const types = TYPES[kind] ?? assert.fail(`no types for ${kind}`);
    const type = `import('kubernetes-types/${types}.js').${manifest.kind}`;
    return `export const manifest${index}: ${type} = ${JSON.stringify(manifest)};`;
  });
  const file = join(ROOT, 'test/deploy/manifests.ts');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    lib: ['lib.es2022.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.getSourceFile = (name, target, ...rest) =>
    name === file
      ? ts.createSourceFile(name, lines.join('\n'), target)
      : getSourceFile.call(host, name, target, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe('deploy/k8s', function () {
  this.timeout(60_000);

  it('is what the types of Kubernetes allow', () => {
    assert.deepEqual(faults(manifests()), []);
  });

  it('would be refused with a misspelt field or a wrong type, however deep', () => {
    const text = JSON.stringify(manifests());
    for (const [from, to] of [
      ['"readOnlyRootFilesystem":true', '"readOnlyRootFileSystem":true'],
      ['"replicas":3', '"replicas":"3"'],
      ['"maxUnavailable":1', '"maxUnavailble":1'],
      ['"podSelector":{', '"podSelektor":{'],
    ] as const) {
      assert.ok(text.includes(from), from);
      const bad = JSON.parse(text.replaceAll(from, to)) as readonly Manifest[];
      assert.notDeepEqual(faults(bad), [], to);
    }
  });

  it('is put together by kubectl kustomize', function () {
    if (spawnSync('kubectl', ['version', '--client']).error !== undefined) {
      skip(this, 'kubectl is not installed');
    }
    const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', FOLDER], {
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr], [0, '']);
    const made = parseAllDocuments(stdout).map((each) => each.toJS() as Manifest);
    assert.equal(made.length, manifests().length);
    assert.ok(!/image: wn$/m.test(stdout), 'each image gets its registry and tag');
  });

  it('names every file, and no object twice', () => {
    const files = readdirSync(FOLDER).filter((name) => name !== 'kustomization.yaml');
    assert.deepEqual([...kustomization().resources].sort(), files.sort());
    const names = manifests().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    assert.equal(new Set(names).size, names.length, names.join(', '));
  });

  it('selects pods that there are, by ports that they have', () => {
    const sets = ofKind<StatefulSet>('StatefulSet');
    const portsOf = (labels: unknown): readonly string[] => {
      const set = sets.find(({ spec }) => matches(spec?.template.metadata?.labels, labels));
      assert.ok(set !== undefined, `no pod has ${JSON.stringify(labels)}`);
      const containers = set.spec?.template.spec?.containers ?? [];
      return containers.flatMap(({ ports }) => (ports ?? []).map(({ name }) => name ?? ''));
    };
    const targets = [
      ...ofKind<Service>('Service').map(({ spec }) => ({
        labels: spec?.selector,
        ports: (spec?.ports ?? []).map(({ targetPort }) => targetPort),
      })),
      ...ofKind<NetworkPolicy>('NetworkPolicy').map(({ spec }) => ({
        labels: spec?.podSelector.matchLabels,
        ports: (spec?.ingress ?? []).flatMap((rule) => (rule.ports ?? []).map(({ port }) => port)),
      })),
      ...ofKind<PodDisruptionBudget>('PodDisruptionBudget').map(({ spec }) => ({
        labels: spec?.selector?.matchLabels,
        ports: [],
      })),
    ];
    for (const { labels, ports } of targets) {
      const known = portsOf(labels);
      for (const port of ports) assert.ok(known.includes(String(port)), String(port));
    }
  });

  it('each set has its service, mounts what it declares, and runs a line that wn takes', async () => {
    const services = ofKind<Service>('Service').map(({ metadata }) => metadata?.name);
    const images = kustomization().images.map(({ name }) => name);
    for (const { spec } of ofKind<StatefulSet>('StatefulSet')) {
      assert.ok(spec !== undefined && services.includes(spec.serviceName));
      assert.ok(matches(spec.template.metadata?.labels, spec.selector.matchLabels));
      const pod = spec.template.spec;
      const volumes = [
        ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata?.name),
        ...(pod?.volumes ?? []).map(({ name }) => name),
      ];
      for (const container of [...(pod?.containers ?? []), ...(pod?.initContainers ?? [])]) {
        assert.ok(images.includes(container.image ?? ''), container.image);
        for (const { name } of container.volumeMounts ?? []) assert.ok(volumes.includes(name));
        const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
        const ports = (container.ports ?? []).map(({ name }) => name ?? '');
        for (const probe of probes.filter((each) => each !== undefined)) {
          assert.ok(ports.includes(String((probe.httpGet ?? probe.tcpSocket)?.port)));
        }
        if (container.args !== undefined) await checkLine(container.args);
      }
    }
  });

  it('runs no pod as root, with rights it needs not, or a root that can be written', () => {
    for (const { spec } of ofKind<StatefulSet>('StatefulSet')) {
      const pod = spec?.template.spec;
      assert.equal(pod?.securityContext?.runAsNonRoot, true);
      assert.equal(pod.securityContext.fsGroupChangePolicy, 'OnRootMismatch');
      assert.equal(pod.automountServiceAccountToken, false);
      for (const { name, securityContext, resources } of [
        ...pod.containers,
        ...(pod.initContainers ?? []),
      ]) {
        assert.deepEqual(
          securityContext,
          {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          name,
        );
        assert.ok(resources?.limits?.['memory'] !== undefined, name);
      }
    }
  });
});

function matches(labels: Readonly<Record<string, string>> | undefined, wanted: unknown): boolean {
  const entries = Object.entries((wanted ?? {}) as Readonly<Record<string, string>>);
  return entries.length > 0 && entries.every(([name, value]) => labels?.[name] === value);
}
