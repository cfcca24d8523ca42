/** The direction of style.md, checked: cli → daemon → drills → runbooks → health → replication → state → regions → domain. */
const layers = ['cli', 'daemon', 'drills', 'runbooks', 'health', 'replication', 'state', 'regions', 'domain'];
const upward = layers.slice(1).map((layer, i) => ({
  name: `${layer}-imports-no-layer-above`,
  severity: 'error',
  from: { path: `^${layer}/` },
  to: { path: `^(${layers.slice(0, i + 1).join('|')})/` },
}));
/** Each SDK is imported by one adapter's file or folder, so that it can be exchanged there. */
const sdk = (name, pkg, homes) => ({
  name: `${name}-sdk-only-in-its-adapter`,
  severity: 'error',
  from: { path: `^(${layers.join('|')})/`, pathNot: homes },
  to: { path: `node_modules/${pkg}/` },
});
module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'product-imports-no-lab',
      severity: 'error',
      from: { path: `^(${layers.join('|')})/` },
      to: { path: '^(lab|bench|tests)/' },
    },
    {
      name: 'auditor-is-independent',
      severity: 'error',
      from: { path: '^lab/auditor/' },
      to: { path: `^(${layers.join('|')})/` },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'domain-is-pure',
      severity: 'error',
      from: { path: '^domain/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?util$' },
    },
    sdk('s3', '(@aws-sdk/client-s3|@smithy)', '^regions/objects/s3-'),
    sdk('route53', '@aws-sdk/client-route-53', '^regions/dns/route53-'),
    sdk('cloudflare', 'cloudflare', '^regions/dns/cloudflare'),
    sdk('kafka', '@platformatic/kafka', '^regions/kafka/platformatic-'),
    sdk('kubernetes', '@kubernetes/client-node', '^regions/kubernetes/client-node-'),
    sdk('commander', 'commander', '^cli/'),
    sdk('metrics', 'prom-client', '^health/metrics'),
    sdk('retry', 'p-retry', '^daemon/notify/deliver.ts'),
    sdk('prompts', '@inquirer', '^cli/init/prompt.ts'),
    sdk('http', 'fastify', '^daemon/http/'),
    sdk('charts', '(d3-scale|d3-shape)', '^drills/report/page/'),
    sdk('cron', 'croner', '^domain/cron.ts'),
    sdk('terminal', '(ink|react)', '^cli/tui/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^dist/|^fixtures/)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
