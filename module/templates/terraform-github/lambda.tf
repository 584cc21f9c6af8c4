resource "aws_cloudwatch_log_group" "lambda_function_cloudwatch_log_group" {
  count             = local.on_ssm ? 0 : 1
  name_prefix       = "/aws/lambda/github_backup_"
  retention_in_days = 90
}

resource "aws_lambda_function" "github_backup" {
  count                          = local.on_ssm ? 0 : 1
  function_name                  = "github_backup"
  role                           = aws_iam_role.github_backup_lambda_function_role[0].arn
  package_type                   = "Image"
  image_uri                      = var.image_uri
  architectures                  = [var.architecture]
  timeout                        = var.lambda_timeout
  memory_size                    = var.memory_size
  reserved_concurrent_executions = 1

  image_config {
    entry_point = ["/app/Backup.Host", "lambda"]
    command     = ["github"]
  }

  ephemeral_storage {
    size = 10240
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.lambda_function_cloudwatch_log_group[0].name
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.missed_starts.arn
  }

  environment {
    variables = {
      BACKUP_DESTINATION      = "s3://${aws_s3_bucket.github_backup.id}/github"
      BACKUP_ONLY_OWNER_REPOS = tostring(var.backup_only_owner_repos)
      TOKEN_GITHUB            = local.token
    }
  }

  depends_on = [aws_iam_role_policy.lambda]
}

data "aws_iam_policy_document" "lambda" {
  count = local.on_ssm ? 0 : 1

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.lambda_function_cloudwatch_log_group[0].arn}:*"]
  }

  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.missed_starts.arn]
  }
}

resource "aws_iam_role_policy" "lambda" {
  count  = local.on_ssm ? 0 : 1
  name   = "log_and_tell"
  role   = aws_iam_role.github_backup_lambda_function_role[0].id
  policy = data.aws_iam_policy_document.lambda[0].json
}
