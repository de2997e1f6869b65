# Networks with a flow log, without one, and with one that is switched off; a firewall; gateways.

locals {
  networks = {
    mail-ne    = { subnet = "snet-mail", group = "nsg-mail-ne", location = local.ne, space = "10.41" }
    off-we     = { subnet = "snet-off", group = "nsg-off", location = local.we, space = "10.7" }
    claims-uks = { subnet = "snet-claims", group = "nsg-claims-uks", location = "uksouth", space = "10.42" }
  }
  nics = { mail-ne = "nic-vm-mail-ne", off-we = "nic-vm-off", claims-uks = "nic-vm-claims-uks" }
}

resource "azurerm_virtual_network" "all" {
  for_each            = local.networks
  name                = "vnet-${each.key}"
  resource_group_name = "rg-network-prod"
  location            = each.value.location
  address_space       = ["${each.value.space}.0.0/16"]
}

resource "azurerm_subnet" "all" {
  for_each             = local.networks
  name                 = each.value.subnet
  resource_group_name  = "rg-network-prod"
  virtual_network_name = azurerm_virtual_network.all[each.key].name
  address_prefixes     = ["${each.value.space}.0.0/24"]
}

resource "azurerm_network_security_group" "all" {
  for_each            = local.networks
  name                = each.value.group
  resource_group_name = "rg-network-prod"
  location            = each.value.location
}

resource "azurerm_subnet_network_security_group_association" "all" {
  for_each                  = local.networks
  subnet_id                 = azurerm_subnet.all[each.key].id
  network_security_group_id = azurerm_network_security_group.all[each.key].id
}

resource "azurerm_network_interface" "all" {
  for_each            = local.nics
  name                = each.value
  resource_group_name = "rg-network-prod"
  location            = local.networks[each.key].location
  ip_configuration {
    name                          = "ipconfig1"
    subnet_id                     = azurerm_subnet.all[each.key].id
    private_ip_address_allocation = "Dynamic"
  }
}

resource "azurerm_network_watcher_flow_log" "mail" {
  name                 = "fl-vnet-mail-ne"
  network_watcher_name = "NetworkWatcher_northeurope"
  resource_group_name  = "NetworkWatcherRG"
  location             = local.ne
  target_resource_id   = azurerm_virtual_network.all["mail-ne"].id
  storage_account_id   = local.flows.ne
  enabled              = true
  version              = 2
  retention_policy {
    enabled = true
    days    = 30
  }
}

resource "azurerm_network_watcher_flow_log" "off" {
  name                 = "fl-vnet-off"
  network_watcher_name = "NetworkWatcher_westeurope"
  resource_group_name  = "NetworkWatcherRG"
  location             = local.we
  target_resource_id   = azurerm_virtual_network.all["off-we"].id
  storage_account_id   = local.flows.we
  enabled              = false
  version              = 2
  retention_policy {
    enabled = false
    days    = 0
  }
  traffic_analytics {
    enabled               = true
    workspace_id          = "350edb2d-9c93-58e5-80aa-b50c25e78223"
    workspace_region      = local.we
    workspace_resource_id = local.sec
  }
}

resource "azurerm_firewall_policy" "vwan" {
  name                = "afwp-vwan"
  resource_group_name = "rg-network-prod"
  location            = local.we
  sku                 = "Premium"
  intrusion_detection {
    mode = "Alert"
  }
  dns {
    proxy_enabled = true
  }
}

resource "azurerm_firewall_policy" "plain" {
  name                = "afwp-vwan-plain"
  resource_group_name = "rg-network-prod"
  location            = local.we
  sku                 = "Standard"
  dns {
    proxy_enabled = false
  }
}

resource "azurerm_firewall" "ne" {
  name                = "afw-vwan-ne"
  resource_group_name = "rg-network-prod"
  location            = local.ne
  sku_name            = "AZFW_Hub"
  sku_tier            = "Premium"
  firewall_policy_id  = azurerm_firewall_policy.vwan.id
}

resource "azurerm_firewall" "uks" {
  name                = "afw-vwan-uks"
  resource_group_name = "rg-network-prod"
  location            = "uksouth"
  sku_name            = "AZFW_Hub"
  sku_tier            = "Standard"
  firewall_policy_id  = azurerm_firewall_policy.plain.id
}

resource "azurerm_monitor_diagnostic_setting" "fw_uks" {
  name                       = "selected"
  target_resource_id         = azurerm_firewall.uks.id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category = "AZFWNetworkRule"
  }
  enabled_log {
    category = "AZFWApplicationRule"
  }
}

resource "azurerm_bastion_host" "ne" {
  name                = "bas-spoke-ne"
  resource_group_name = "rg-network-prod"
  location            = local.ne
  sku                 = "Basic"
}

resource "azurerm_express_route_circuit" "all" {
  for_each              = toset(["pass", "fail"])
  name                  = "erc-edge-${each.key}"
  resource_group_name   = "rg-edge-prod"
  location              = local.we
  service_provider_name = "Equinix"
}

resource "azurerm_monitor_diagnostic_setting" "circuit" {
  name                       = "send-to-law-contoso-sec"
  target_resource_id         = azurerm_express_route_circuit.all["pass"].id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category_group = "allLogs"
  }
}
