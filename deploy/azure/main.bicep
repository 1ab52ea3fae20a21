// Secure Export on Azure Container Apps with Azure Database for PostgreSQL, spread over availability zones.
// What to prepare, how to deploy, and what to do on trouble: docs/how-to/run-on-azure-container-apps.md
targetScope = 'resourceGroup'

@description('Where everything is; a region with availability zones.')
param location string = resourceGroup().location

@description('What every name begins with: lower-case letters, digits and hyphens.')
@minLength(3)
@maxLength(14)
param prefix string = 'secure-export'

@description('The image, as you pushed it: registry.azurecr.io/secure-export:0.1.0, or with @sha256:… in place of a tag.')
param image string

@description('The name of an Azure container registry in this resource group that the image is pulled from; empty: a public one.')
param registryName string = ''

@description('The image that holds psql, for the job that makes the database and its roles.')
param postgresClientImage string = 'postgres:17'

@description('The configuration: identity and connections, without secrets.')
param configuration string = loadTextContent('secure-export.toml')

@description('The name of a key vault in this resource group, which holds the secrets of the three parameters below.')
param keyVaultName string

@description('The secret that is the password of the database server\'s administrator.')
param administratorPasswordSecret string = 'database-administrator-password'

@description('The secret that is the password of the role that owns the tables.')
param ownerPasswordSecret string = 'database-owner-password'

@description('The secret that is the password of the role that runs the service.')
param runnerPasswordSecret string = 'database-runner-password'

@description('Further secrets that the configuration names, as files /run/secrets/secure-export/NAME.')
param connectionSecrets string[] = []

@description('The password of the database server\'s administrator; take it from the key vault (main.bicepparam does).')
@secure()
param administratorPassword string

@description('Compute of the database server; general purpose or memory optimized, since burstable ones have no standby.')
param databaseSku string = 'Standard_D2ds_v5'

@description('The tier that the compute belongs to.')
@allowed(['GeneralPurpose', 'MemoryOptimized'])
param databaseTier string = 'GeneralPurpose'

@description('Storage of the database server, in GiB.')
@allowed([32, 64, 128, 256, 512, 1024])
param databaseStorage int = 128

@description('Addresses that may reach the webhook, as CIDR; empty: all. Action groups call from the service tag ActionGroup.')
param allowedAddresses string[] = []

@description('How many processes take alerts in, at least and at most.')
param intakeReplicas { min: int, max: int } = { min: 2, max: 6 }

@description('How many processes deliver.')
@minValue(1)
param deliveryReplicas int = 2

@description('For how many days the log is kept.')
@minValue(30)
@maxValue(730)
param logDays int = 90

param tags object = { application: 'secure-export' }

var databaseServer = '${prefix}-${uniqueString(resourceGroup().id)}'
var vaultUrl = 'https://${keyVaultName}${environment().suffixes.keyvaultDns}/secrets'
var keyVaultSecretsUser = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')
var acrPull = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '7f951dda-4ed3-4680-a7ca-43fe172d538d')
var registries = empty(registryName) ? [] : [{ server: '${registryName}.azurecr.io', identity: runnerIdentity.id }]
var ownerRegistries = empty(registryName) ? [] : [{ server: '${registryName}.azurecr.io', identity: ownerIdentity.id }]

// --- Network: the apps and the database server each have a subnet; the database has no public address. ---

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: '${prefix}-network'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.80.0.0/22'] }
    subnets: [
      {
        name: 'apps'
        properties: {
          addressPrefix: '10.80.0.0/23'
          delegations: [{ name: 'apps', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'database'
        properties: {
          addressPrefix: '10.80.2.0/28'
          delegations: [
            { name: 'database', properties: { serviceName: 'Microsoft.DBforPostgreSQL/flexibleServers' } }
          ]
        }
      }
    ]
  }

  resource appsSubnet 'subnets' existing = { name: 'apps' }
  resource databaseSubnet 'subnets' existing = { name: 'database' }
}

resource databaseZone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: '${prefix}.private.postgres.database.azure.com'
  location: 'global'
  tags: tags

  resource link 'virtualNetworkLinks' = {
    name: 'network'
    location: 'global'
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
}

// --- Database: a primary and a synchronous standby in another zone. ---

resource database 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' = {
  name: databaseServer
  location: location
  tags: tags
  sku: { name: databaseSku, tier: databaseTier }
  properties: {
    createMode: 'Default'
    version: '17'
    administratorLogin: 'secure_export_administrator'
    administratorLoginPassword: administratorPassword
    authConfig: { activeDirectoryAuth: 'Disabled', passwordAuth: 'Enabled' }
    storage: { storageSizeGB: databaseStorage, autoGrow: 'Enabled' }
    backup: { backupRetentionDays: 14, geoRedundantBackup: 'Disabled' }
    network: {
      delegatedSubnetResourceId: network::databaseSubnet.id
      privateDnsZoneArmResourceId: databaseZone.id
      publicNetworkAccess: 'Disabled'
    }
    availabilityZone: '1'
    highAvailability: { mode: 'ZoneRedundant', standbyAvailabilityZone: '2' }
  }
  dependsOn: [databaseZone::link]
}

// --- Identities: the one of the jobs reads passwords that the one of the service does not. ---

resource runnerIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${prefix}-runner'
  location: location
  tags: tags
}

resource ownerIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${prefix}-owner'
  location: location
  tags: tags
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: keyVaultName
}

resource runnerSecrets 'Microsoft.KeyVault/vaults/secrets@2024-11-01' existing = [
  for name in union([runnerPasswordSecret], connectionSecrets): {
    parent: vault
    name: name
  }
]

resource ownerSecrets 'Microsoft.KeyVault/vaults/secrets@2024-11-01' existing = [
  for name in [administratorPasswordSecret, ownerPasswordSecret, runnerPasswordSecret]: {
    parent: vault
    name: name
  }
]

resource runnerReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, number) in union([runnerPasswordSecret], connectionSecrets): {
    name: guid(vault.id, name, runnerIdentity.id, keyVaultSecretsUser)
    scope: runnerSecrets[number]
    properties: {
      principalId: runnerIdentity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: keyVaultSecretsUser
    }
  }
]

resource ownerReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, number) in [administratorPasswordSecret, ownerPasswordSecret, runnerPasswordSecret]: {
    name: guid(vault.id, name, ownerIdentity.id, keyVaultSecretsUser)
    scope: ownerSecrets[number]
    properties: {
      principalId: ownerIdentity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: keyVaultSecretsUser
    }
  }
]

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = if (!empty(registryName)) {
  name: empty(registryName) ? 'none' : registryName
}

resource runnerPulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(registryName)) {
  name: guid(registry.id, runnerIdentity.id, acrPull)
  scope: registry
  properties: {
    principalId: runnerIdentity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: acrPull
  }
}

resource ownerPulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(registryName)) {
  name: guid(registry.id, ownerIdentity.id, acrPull)
  scope: registry
  properties: {
    principalId: ownerIdentity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: acrPull
  }
}

// --- Environment of the apps, over all zones. ---

resource logs 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: '${prefix}-logs'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: logDays
  }
}

resource apps 'Microsoft.App/managedEnvironments@2025-07-01' = {
  name: '${prefix}-apps'
  location: location
  tags: tags
  properties: {
    zoneRedundant: true
    vnetConfiguration: { infrastructureSubnetId: network::appsSubnet.id, internal: false }
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: logs.properties.customerId
        sharedKey: logs.listKeys().primarySharedKey
      }
    }
  }
}

// --- What all containers of the program share. ---

var storeHost = '${database.properties.fullyQualifiedDomainName}:5432'

var commonEnvironment = [
  { name: 'SECURE_EXPORT__SERVER__LISTEN', value: '0.0.0.0:8080' }
  { name: 'SECURE_EXPORT__STORE__PASSWORD__FILE', value: '/run/secrets/database/password' }
  { name: 'SECURE_EXPORT__LOG__FORMAT', value: 'json' }
]

var runnerEnvironment = concat(commonEnvironment, [
  { name: 'SECURE_EXPORT__STORE__URL', value: 'postgresql://secure_export@${storeHost}/secure_export' }
])

var ownerEnvironment = concat(commonEnvironment, [
  { name: 'SECURE_EXPORT__STORE__URL', value: 'postgresql://secure_export_owner@${storeHost}/secure_export' }
])

var configurationSecret = { name: 'configuration', value: configuration }

var runnerAppSecrets = concat(
  [
    configurationSecret
    { name: 'runner-password', keyVaultUrl: '${vaultUrl}/${runnerPasswordSecret}', identity: runnerIdentity.id }
  ],
  map(connectionSecrets, name => { name: name, keyVaultUrl: '${vaultUrl}/${name}', identity: runnerIdentity.id })
)

var runnerVolumes = concat(
  [
    {
      name: 'configuration'
      storageType: 'Secret'
      secrets: [{ secretRef: 'configuration', path: 'secure-export.toml' }]
    }
    { name: 'database', storageType: 'Secret', secrets: [{ secretRef: 'runner-password', path: 'password' }] }
    { name: 'work', storageType: 'EmptyDir' }
  ],
  empty(connectionSecrets)
    ? []
    : [
        {
          name: 'connections'
          storageType: 'Secret'
          secrets: map(connectionSecrets, name => { secretRef: name, path: name })
        }
      ]
)

var runnerMounts = concat(
  [
    { volumeName: 'configuration', mountPath: '/etc/secure-export' }
    { volumeName: 'database', mountPath: '/run/secrets/database' }
    { volumeName: 'work', mountPath: '/var/lib/secure-export' }
  ],
  empty(connectionSecrets) ? [] : [{ volumeName: 'connections', mountPath: '/run/secrets/secure-export' }]
)

var probes = [
  {
    // One that starts while the database is away waits for it, before it listens. More than ten failures are not allowed.
    type: 'Startup'
    httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' }
    periodSeconds: 10
    failureThreshold: 10
  }
  {
    type: 'Liveness'
    httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' }
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  }
  {
    type: 'Readiness'
    httpGet: { path: '/readyz', port: 8080, scheme: 'HTTP' }
    periodSeconds: 5
    timeoutSeconds: 5
    failureThreshold: 3
  }
]

var runnerUser = { type: 'UserAssigned', userAssignedIdentities: { '${runnerIdentity.id}': {} } }
var ownerUser = { type: 'UserAssigned', userAssignedIdentities: { '${ownerIdentity.id}': {} } }

// --- The three roles of the service. ---

resource intake 'Microsoft.App/containerApps@2025-07-01' = {
  name: '${prefix}-intake'
  location: location
  tags: tags
  identity: runnerUser
  properties: {
    environmentId: apps.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      secrets: runnerAppSecrets
      registries: registries
      // The platform fetches secrets and image with the identity; the program itself never needs it.
      identitySettings: [{ identity: runnerIdentity.id, lifecycle: 'None' }]
      ingress: {
        external: true
        targetPort: 8080
        transport: 'http'
        allowInsecure: false
        ipSecurityRestrictions: [
          for address in allowedAddresses: { name: replace(address, '/', '-'), ipAddressRange: address, action: 'Allow' }
        ]
      }
    }
    template: {
      terminationGracePeriodSeconds: 50
      containers: [
        {
          name: 'intake'
          image: image
          args: ['serve', '--config', '/etc/secure-export/secure-export.toml', '--role', 'intake']
          env: runnerEnvironment
          resources: { cpu: json('0.5'), memory: '1Gi' }
          probes: probes
          volumeMounts: runnerMounts
        }
      ]
      scale: {
        minReplicas: intakeReplicas.min
        maxReplicas: intakeReplicas.max
        rules: [{ name: 'requests', http: { metadata: { concurrentRequests: '100' } } }]
      }
      volumes: runnerVolumes
    }
  }
  dependsOn: [runnerReads, runnerPulls]
}

resource delivery 'Microsoft.App/containerApps@2025-07-01' = {
  name: '${prefix}-delivery'
  location: location
  tags: tags
  identity: runnerUser
  properties: {
    environmentId: apps.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      secrets: runnerAppSecrets
      registries: registries
      identitySettings: [{ identity: runnerIdentity.id, lifecycle: 'None' }]
    }
    template: {
      terminationGracePeriodSeconds: 50
      containers: [
        {
          name: 'delivery'
          image: image
          args: ['serve', '--config', '/etc/secure-export/secure-export.toml', '--role', 'delivery']
          env: runnerEnvironment
          resources: { cpu: json('0.5'), memory: '1Gi' }
          probes: probes
          volumeMounts: runnerMounts
        }
      ]
      scale: { minReplicas: deliveryReplicas, maxReplicas: deliveryReplicas }
      volumes: runnerVolumes
    }
  }
  dependsOn: [runnerReads, runnerPulls]
}

resource console 'Microsoft.App/containerApps@2025-07-01' = {
  name: '${prefix}-console'
  location: location
  tags: tags
  identity: runnerUser
  properties: {
    environmentId: apps.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      secrets: runnerAppSecrets
      registries: registries
      identitySettings: [{ identity: runnerIdentity.id, lifecycle: 'None' }]
      // Within the environment only; people and scripts show a token.
      ingress: { external: false, targetPort: 8080, transport: 'http', allowInsecure: false }
    }
    template: {
      terminationGracePeriodSeconds: 50
      containers: [
        {
          name: 'console'
          image: image
          args: ['serve', '--config', '/etc/secure-export/secure-export.toml', '--role', 'console']
          env: runnerEnvironment
          resources: { cpu: json('0.25'), memory: '0.5Gi' }
          probes: probes
          volumeMounts: runnerMounts
        }
      ]
      scale: { minReplicas: 1, maxReplicas: 1 }
      volumes: runnerVolumes
    }
  }
  dependsOn: [runnerReads, runnerPulls]
}

// --- Two jobs, to be started by hand: the database with its roles, and its tables. ---

resource roles 'Microsoft.App/jobs@2025-07-01' = {
  name: '${prefix}-roles'
  location: location
  tags: tags
  identity: ownerUser
  properties: {
    environmentId: apps.id
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Manual'
      replicaTimeout: 300
      replicaRetryLimit: 1
      manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 }
      identitySettings: [{ identity: ownerIdentity.id, lifecycle: 'None' }]
      secrets: [
        { name: 'roles', value: loadTextContent('../postgresql/roles.sql') }
        {
          name: 'administrator-password'
          keyVaultUrl: '${vaultUrl}/${administratorPasswordSecret}'
          identity: ownerIdentity.id
        }
        { name: 'owner-password', keyVaultUrl: '${vaultUrl}/${ownerPasswordSecret}', identity: ownerIdentity.id }
        { name: 'runner-password', keyVaultUrl: '${vaultUrl}/${runnerPasswordSecret}', identity: ownerIdentity.id }
      ]
    }
    template: {
      containers: [
        {
          name: 'roles'
          image: postgresClientImage
          command: ['psql']
          args: [
            '--no-psqlrc'
            '--set=ON_ERROR_STOP=1'
            '--set=owner_password_file=/run/secrets/database/owner-password'
            '--set=runner_password_file=/run/secrets/database/runner-password'
            '--file=/run/secrets/database/roles.sql'
          ]
          env: [
            { name: 'PGHOST', value: database.properties.fullyQualifiedDomainName }
            { name: 'PGUSER', value: 'secure_export_administrator' }
            { name: 'PGDATABASE', value: 'postgres' }
            { name: 'PGPASSWORD', secretRef: 'administrator-password' }
            { name: 'PGSSLMODE', value: 'require' }
          ]
          resources: { cpu: json('0.25'), memory: '0.5Gi' }
          volumeMounts: [{ volumeName: 'secrets', mountPath: '/run/secrets/database' }]
        }
      ]
      volumes: [
        {
          name: 'secrets'
          storageType: 'Secret'
          secrets: [
            { secretRef: 'roles', path: 'roles.sql' }
            { secretRef: 'owner-password', path: 'owner-password' }
            { secretRef: 'runner-password', path: 'runner-password' }
          ]
        }
      ]
    }
  }
  dependsOn: [ownerReads]
}

resource migrate 'Microsoft.App/jobs@2025-07-01' = {
  name: '${prefix}-migrate'
  location: location
  tags: tags
  identity: ownerUser
  properties: {
    environmentId: apps.id
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Manual'
      replicaTimeout: 900
      replicaRetryLimit: 3
      manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 }
      registries: ownerRegistries
      identitySettings: [{ identity: ownerIdentity.id, lifecycle: 'None' }]
      secrets: [
        configurationSecret
        { name: 'owner-password', keyVaultUrl: '${vaultUrl}/${ownerPasswordSecret}', identity: ownerIdentity.id }
      ]
    }
    template: {
      containers: [
        {
          name: 'migrate'
          image: image
          args: ['store', 'migrate', '--config', '/etc/secure-export/secure-export.toml', '--grant-to', 'secure_export']
          env: ownerEnvironment
          resources: { cpu: json('0.25'), memory: '0.5Gi' }
          volumeMounts: [
            { volumeName: 'configuration', mountPath: '/etc/secure-export' }
            { volumeName: 'database', mountPath: '/run/secrets/database' }
          ]
        }
      ]
      volumes: [
        {
          name: 'configuration'
          storageType: 'Secret'
          secrets: [{ secretRef: 'configuration', path: 'secure-export.toml' }]
        }
        { name: 'database', storageType: 'Secret', secrets: [{ secretRef: 'owner-password', path: 'password' }] }
      ]
    }
  }
  dependsOn: [ownerReads, ownerPulls]
}

@description('The webhook for action groups, without the name of a connection: …/v1/connections/<connection>/alerts.')
output webhookBase string = 'https://${intake.properties.configuration.ingress.fqdn}/v1/connections'

@description('The jobs to start, in this order.')
output jobs string[] = [roles.name, migrate.name]

output databaseHost string = database.properties.fullyQualifiedDomainName
