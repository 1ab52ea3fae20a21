// Fill in what is marked, and deploy:
//   az deployment group create --resource-group <group> --parameters deploy/azure/main.bicepparam
using 'main.bicep'

param prefix = 'secure-export'
param image = 'myregistry.azurecr.io/secure-export:0.1.0' //      <- fill in
param registryName = 'myregistry' //                              <- fill in
param keyVaultName = 'my-key-vault' //                            <- fill in

// The vault has to allow that (enabledForTemplateDeployment); the value is never shown.
param administratorPassword = az.getSecret(
  '00000000-0000-0000-0000-000000000003', //                      <- fill in: the subscription
  'secure-export', //                                             <- fill in: the resource group
  'my-key-vault', //                                              <- fill in
  'database-administrator-password'
)

// Secrets that secure-export.toml names, by their names in the vault.
param connectionSecrets = []
