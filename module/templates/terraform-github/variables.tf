variable "run_on" {
  description = "Where it runs: SSM (an instance) or Lambda (15 minutes at most)."
  type        = string
  default     = "SSM"

  validation {
    condition     = contains(["SSM", "Lambda"], var.run_on)
    error_message = "run_on is SSM or Lambda."
  }
}

variable "instance_id" {
  description = "For SSM: a managed instance with PowerShell, git and the module."
  type        = string
  default     = ""
}

variable "instance_role_name" {
  description = "For SSM: the role of the instance. It is given what the backup needs."
  type        = string
  default     = ""
}

variable "image_uri" {
  description = "For Lambda: the host as a container image in ECR, with git in it (src/Backup.Host/Containerfile, target github)."
  type        = string
  default     = ""
}

variable "architecture" {
  description = "For Lambda: what the image was built for, x86_64 or arm64."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture is x86_64 or arm64."
  }
}

variable "backup_s3_bucket" {
  description = "The bucket to make."
  type        = string
}

variable "backup_secret_arn" {
  description = "The secret with the token, a JSON object whose TOKEN_GITHUB it is."
  type        = string
}

variable "backup_only_owner_repos" {
  description = "Only the repositories that the token's user owns."
  type        = bool
  default     = false
}

variable "schedule_expression" {
  description = "When."
  type        = string
  default     = "cron(1 1 1 * ? *)"
}

variable "lambda_timeout" {
  description = "Lambda timeout in seconds"
  type        = number
  default     = 900
}

variable "memory_size" {
  description = "Lambda memory size in MB"
  type        = number
  default     = 1024
}

variable "expiration_days" {
  description = "How long what was overwritten or deleted is kept."
  type        = number
  default     = 1825
}
